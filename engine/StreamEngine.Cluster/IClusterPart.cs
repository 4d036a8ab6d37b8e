using Akka.Actor;

namespace StreamEngine.Cluster;

/// <summary>
/// What runs on the cluster's ActorSystem. The system may be made anew while the process lives (it was taken for dead by the others), so a
/// part is attached and detached, and meanwhile answers without it.
/// </summary>
public interface IClusterPart
{
    /// <summary>There is a system: starts the part's actors on it. Returns at once.</summary>
    void Attach(ActorSystem system);

    /// <summary>The system ends or has ended: the part keeps nothing of it.</summary>
    void Detach();
}

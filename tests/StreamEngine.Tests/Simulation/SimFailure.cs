namespace StreamEngine.Tests.Simulation;

/// <summary>What came out is not what had to.</summary>
internal sealed class SimFailure(string what) : Exception(what);

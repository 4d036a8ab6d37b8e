using System.Reflection;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>Workers share a compiled engine without locks: nothing that it is made of may be written from outside.</summary>
public sealed class CompiledEngineTests
{
    [Fact]
    public void NothingThatACompiledEngineShows_CanBeSet()
    {
        var seen = new HashSet<Type>();
        var faults = new SortedSet<string>(StringComparer.Ordinal);
        Look(typeof(CompiledEngine));
        Assert.Contains(typeof(OutputTopics), seen);
        Assert.Empty(faults);

        void Look(Type type)
        {
            if (type.IsGenericType || type.IsArray)
                foreach (var part in type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments()) Look(part);
            if (type.Assembly != typeof(CompiledEngine).Assembly || type.IsEnum || !seen.Add(type)) return;
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
                if (!field.IsInitOnly || IsOpen(field.FieldType)) faults.Add($"{type.Name}.{field.Name}");
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (IsOpen(property.PropertyType) || property.SetMethod is { IsPublic: true } set && !IsInit(set))
                    faults.Add($"{type.Name}.{property.Name}");
                Look(property.PropertyType);
            }
        }
    }

    /// <summary>Whether whoever has one can change what is in it.</summary>
    private static bool IsOpen(Type type) => type.IsArray
        || type.IsGenericType && type.GetGenericTypeDefinition() is var open
            && (open == typeof(List<>) || open == typeof(Dictionary<,>) || open == typeof(HashSet<>));

    private static bool IsInit(MethodInfo set) =>
        set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.CompilerServices.IsExternalInit));
}

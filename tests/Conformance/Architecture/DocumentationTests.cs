using System.Xml.Linq;
using Mono.Cecil;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>
/// Every public type says what it promises. (Of the ports and the client every member does: the compiler sees to it.) Read from
/// the documentation that stands beside each assembly.
/// </summary>
public sealed class DocumentationTests
{
    [Fact]
    public void Every_public_type_says_what_it_promises() =>
        Assert.Empty(House.Built.All.SelectMany(assembly => Undocumented(assembly, XDocument.Load(Path.Combine(AppContext.BaseDirectory, assembly.Name.Name + ".xml")))));

    [Fact]
    public void A_type_that_says_nothing_is_caught()
    {
        var ports = House.Built.Ports;

        Assert.Contains("Coordinator.Ports.Plane", Undocumented(ports, XDocument.Parse("<doc><members><member name=\"T:Coordinator.Ports.Role\" /></members></doc>")));
    }

    private static IEnumerable<string> Undocumented(AssemblyDefinition assembly, XDocument documentation)
    {
        var documented = documentation.Descendants("member").Select(member => member.Attribute("name")!.Value).ToHashSet(StringComparer.Ordinal);
        return assembly.MainModule.GetTypes().Where(IsVisible).Select(type => type.FullName.Replace('/', '.')).Where(name => !documented.Contains("T:" + name));
    }

    /// <summary>Written by a person, and to be seen from outside.</summary>
    private static bool IsVisible(TypeDefinition type) =>
        (type.IsPublic || (type.IsNestedPublic && IsVisible(type.DeclaringType)))
        && !type.CustomAttributes.Any(attribute => attribute.AttributeType.Name is "CompilerGeneratedAttribute" or "GeneratedCodeAttribute")
        && !type.Name.Contains('<', StringComparison.Ordinal);
}

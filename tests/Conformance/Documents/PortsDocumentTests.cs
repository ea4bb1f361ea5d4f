using System.Globalization;
using System.Text;
using Coordinator.Ports;
using Coordinator.Tests.Conformance.Architecture;
using Mono.Cecil;
using Xunit;

namespace Coordinator.Tests.Conformance.Documents;

public sealed class PortsDocumentTests
{
    [Fact]
    public void The_table_of_ports_is_what_the_code_says() => GeneratedDocument.Verify("docs/ports.md", Page(PortBundle.Find(PortBundleTests.Built)));

    private static string Page(IReadOnlyList<PortBundle> bundles)
    {
        var comments = CodeComments.Of("Coordinator.Ports");
        var page = new StringBuilder("""
            # The ports

            Every outside thing stands behind a port: an interface in `src/Ports`, in the domain's words. The build demands of
            each a real adapter, exactly one fake, a contract that runs against all of them, and a catalog of faults. This page
            is generated from the code; a test fails when it is stale, and `COORDINATOR_WRITE_DOCS=1` writes it anew.

            """.ReplaceLineEndings("\n"));
        foreach (var plane in bundles.GroupBy(bundle => bundle.Plane).OrderBy(plane => plane.Key)) Write(page, plane, comments);
        return page.ToString();
    }

    private static void Write(StringBuilder page, IGrouping<Plane, PortBundle> plane, CodeComments comments)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {plane.Key}\n\n");
        page.Append("| Port | Promise | Real adapters | Fake | Contract | Faults |\n|---|---|---|---|---|---|\n");
        foreach (var bundle in plane.OrderBy(bundle => bundle.Port.Name, StringComparer.Ordinal))
        {
            var promise = comments.Summary("T:" + bundle.Port.FullName);
            Assert.False(string.IsNullOrEmpty(promise), $"{bundle.Port.Name} says nothing about what it promises.");
            page.Append(CultureInfo.InvariantCulture, $"| `{bundle.Port.Name}` | {promise.Replace("|", "\\|", StringComparison.Ordinal)} | {Names(bundle.Adapters)} | {Names(bundle.Fakes)} | {Names([bundle.Contract])} | {Names([bundle.Catalog])} |\n");
        }
    }

    private static string Names(IEnumerable<TypeDefinition?> types) =>
        string.Join(", ", types.OfType<TypeDefinition>().Select(type => $"`{type.Name}`").Order(StringComparer.Ordinal)) is { Length: > 0 } names ? names : "none yet";
}

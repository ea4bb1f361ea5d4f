using System.Globalization;
using System.Text;
using Coordinator.Tests.Faults;
using Xunit;

namespace Coordinator.Tests.Conformance.Documents;

public sealed class FaultsDocumentTests
{
    [Fact]
    public void The_page_of_faults_is_what_the_catalogs_say() => GeneratedDocument.Verify("docs/faults.md", Page());

    private static string Page()
    {
        var page = new StringBuilder("""
            # The faults

            What goes wrong outside, port by port, and what a user sees of it. `tests/Faults` plays every line through a whole session in
            memory, on the port's fake, and asserts what is seen, that no message is lost, doubled or without an end, that every run
            is in the history once, and that no box is left. Every catalog plays the general faults or says why one cannot happen.
            What stands under "On the real adapter" is played a second time, in real time, over PostgreSQL, git, the data plane, a
            model provider and a receiver behind proxies that refuse, cut, swallow, delay and corrupt; there no transaction and no
            connection may be left open, and no secret may be in the log.

            This page is generated from the catalogs; a test fails when it is stale, and `COORDINATOR_WRITE_DOCS=1` writes it anew.

            """.ReplaceLineEndings("\n"));
        foreach (var catalog in FaultCatalogs.All.OrderBy(catalog => catalog.Port.Name, StringComparer.Ordinal)) Write(page, catalog);
        return page.ToString();
    }

    private static void Write(StringBuilder page, IFaultCatalog catalog)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {catalog.Port.Name}\n\n| Fault | Kind | When | Seen |\n|---|---|---|---|\n");
        foreach (var fault in catalog.Faults) page.Append(CultureInfo.InvariantCulture, $"| {fault.Name} | {fault.Is?.ToString() ?? "its own"} | {fault.When} | {fault.Sees} |\n");
        if (catalog.CannotHappen.Count > 0) page.Append("\nCannot happen:\n\n");
        foreach (var (general, reason) in catalog.CannotHappen.OrderBy(pair => pair.Key)) page.Append(CultureInfo.InvariantCulture, $"- {general}: {reason}\n");
        page.Append("\nOn the real adapter:\n\n");
        foreach (var play in catalog.OnReal) page.Append(CultureInfo.InvariantCulture, $"- {play.Of} ({play.How}): {play.Sees ?? catalog.Faults.Single(fault => fault.Name == play.Of).Sees}\n");
        if (catalog.WhyNotOnReal is { } why) page.Append(CultureInfo.InvariantCulture, $"- none: {why}\n");
    }
}

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
            is in the history once, that no box and no timer is left, and that no secret is in an event or in the log. A fault beside
            the session says itself what must hold besides. Every catalog plays the general faults or says why one cannot happen.
            What stands under "On the real adapter" is played a second time, in real time, over PostgreSQL, git, the data plane, a
            model provider and a receiver behind proxies that refuse, cut, swallow, delay, drip, repeat and corrupt, or by what they
            themselves say; there no transaction and no connection may be left open. A general fault that is not says why.

            In the table a general fault is played on the real adapter as well (**both**), on the fake alone (fake), or cannot happen
            (-); the reasons stand with the port.

            This page is generated from the catalogs; a test fails when it is stale, and `COORDINATOR_WRITE_DOCS=1` writes it anew.

            """.ReplaceLineEndings("\n"));
        var catalogs = FaultCatalogs.All.OrderBy(catalog => catalog.Port.Name, StringComparer.Ordinal).ToList();
        WriteTable(page, catalogs);
        foreach (var catalog in catalogs) Write(page, catalog);
        return page.ToString();
    }

    private static void WriteTable(StringBuilder page, IReadOnlyList<IFaultCatalog> catalogs)
    {
        var general = Enum.GetValues<GeneralFault>();
        page.Append(CultureInfo.InvariantCulture, $"\n| Port | {string.Join(" | ", general)} |\n|---|{string.Concat(general.Select(_ => "---|"))}\n");
        foreach (var catalog in catalogs) page.Append(CultureInfo.InvariantCulture, $"| {catalog.Port.Name} | {string.Join(" | ", general.Select(fault => Cell(catalog, fault)))} |\n");
    }

    private static string Cell(IFaultCatalog catalog, GeneralFault general)
    {
        var played = catalog.Faults.Where(fault => fault.Is == general).Select(fault => fault.Name).ToHashSet(StringComparer.Ordinal);
        if (catalog.CannotHappen.ContainsKey(general)) return "-";
        Assert.NotEmpty(played);
        return catalog.OnReal.Any(play => played.Contains(play.Of)) ? "**both**" : "fake";
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
        if (catalog.NotOnReal.Count > 0) page.Append("\nOn the fake alone:\n\n");
        foreach (var (general, reason) in catalog.NotOnReal.OrderBy(pair => pair.Key)) page.Append(CultureInfo.InvariantCulture, $"- {general}: {reason}\n");
    }
}

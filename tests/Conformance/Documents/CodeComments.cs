using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Coordinator.Tests.Conformance.Documents;

/// <summary>The summaries that the compiler wrote beside an assembly, as Markdown.</summary>
internal sealed partial class CodeComments
{
    private readonly Dictionary<string, string> summaries;

    private CodeComments(Dictionary<string, string> summaries) => this.summaries = summaries;

    public static CodeComments Of(string assembly)
    {
        var file = Path.Combine(AppContext.BaseDirectory, assembly + ".xml");
        return new(XDocument.Load(file).Descendants("member")
            .Where(member => member.Element("summary") is not null)
            .ToDictionary(member => member.Attribute("name")!.Value, member => Text(member.Element("summary")!), StringComparer.Ordinal));
    }

    /// <summary>The summary of a documentation id such as <c>T:Name.Space.Type</c>; null when nobody wrote one.</summary>
    public string? Summary(string id) => summaries.GetValueOrDefault(id);

    private static string Text(XElement summary)
    {
        var text = new StringBuilder();
        foreach (var node in summary.DescendantNodes())
        {
            if (node is XText words && node.Parent!.Name != "c") text.Append(words.Value);
            else if (node is XElement { Name.LocalName: "c" } code) text.Append('`').Append(code.Value).Append('`');
            else if (node is XElement { Name.LocalName: "see" } see) text.Append('`').Append(Name(see)).Append('`');
            else if (node is XElement { Name.LocalName: "paramref" } parameter) text.Append('`').Append(parameter.Attribute("name")!.Value).Append('`');
        }

        return Spaces().Replace(text.ToString(), " ").Trim();
    }

    private static string Name(XElement see)
    {
        var target = (see.Attribute("cref") ?? see.Attribute("langword"))!.Value;
        return target.Split('(')[0].Split('.', ':')[^1];
    }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Spaces();
}

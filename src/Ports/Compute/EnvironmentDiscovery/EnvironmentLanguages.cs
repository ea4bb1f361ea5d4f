namespace Coordinator.Ports.Compute;

/// <summary>Counts files by language, by their extension; markup, data and pictures are no language.</summary>
internal static class EnvironmentLanguages
{
    private static readonly Dictionary<string, string> ByExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".js"] = "JavaScript", [".mjs"] = "JavaScript", [".cjs"] = "JavaScript", [".jsx"] = "JavaScript",
        [".ts"] = "TypeScript", [".tsx"] = "TypeScript", [".mts"] = "TypeScript", [".cts"] = "TypeScript",
        [".vue"] = "Vue", [".svelte"] = "Svelte", [".py"] = "Python", [".pyi"] = "Python", [".ipynb"] = "Jupyter Notebook",
        [".go"] = "Go", [".rs"] = "Rust", [".cs"] = "C#", [".fs"] = "F#", [".vb"] = "Visual Basic", [".java"] = "Java",
        [".kt"] = "Kotlin", [".kts"] = "Kotlin", [".scala"] = "Scala", [".groovy"] = "Groovy", [".clj"] = "Clojure",
        [".rb"] = "Ruby", [".php"] = "PHP", [".c"] = "C", [".h"] = "C", [".cc"] = "C++", [".cpp"] = "C++", [".cxx"] = "C++",
        [".hpp"] = "C++", [".hh"] = "C++", [".m"] = "Objective-C", [".swift"] = "Swift", [".dart"] = "Dart", [".ex"] = "Elixir",
        [".exs"] = "Elixir", [".erl"] = "Erlang", [".hs"] = "Haskell", [".ml"] = "OCaml", [".lua"] = "Lua", [".r"] = "R",
        [".jl"] = "Julia", [".pl"] = "Perl", [".pm"] = "Perl", [".zig"] = "Zig", [".nim"] = "Nim", [".sol"] = "Solidity",
        [".sh"] = "Shell", [".bash"] = "Shell", [".ps1"] = "PowerShell", [".sql"] = "SQL", [".tf"] = "HCL",
        [".html"] = "HTML", [".css"] = "CSS", [".scss"] = "SCSS", [".less"] = "Less",
    };

    /// <summary>The most used first; ties by name, so that the same files always give the same list.</summary>
    public static IEnumerable<EnvironmentLanguage> Count(RepositoryFiles files) =>
        files.All.Select(path => ByExtension.GetValueOrDefault(Path.GetExtension(path)))
            .OfType<string>()
            .GroupBy(name => name, StringComparer.Ordinal)
            .Select(group => new EnvironmentLanguage(group.Key, group.Count()))
            .OrderByDescending(language => language.Files)
            .ThenBy(language => language.Name, StringComparer.Ordinal);
}

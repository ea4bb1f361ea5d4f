using System.Xml.Linq;
using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>
/// What stands under the rules: the assembly of every project in src, found by its project file so that none is forgotten,
/// and read as it was compiled, without being loaded.
/// </summary>
public sealed class House
{
    private House(IReadOnlyList<HouseAssembly> assemblies) => Assemblies = assemblies;

    /// <summary>The folder of the working copy.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The product as it was built beside these tests.</summary>
    public static House Built { get; } = new([.. ProjectFiles("src").Select(Read)]);

    public IReadOnlyList<HouseAssembly> Assemblies { get; }

    public AssemblyDefinition Ports => Of("src/Ports").Single();

    public AssemblyDefinition Fakes => Of("src/Fakes").Single();

    public AssemblyDefinition SessionsModule => Of("src/Modules/Sessions").Single();

    public IEnumerable<AssemblyDefinition> Adapters => Of("src/Adapters");

    public IEnumerable<AssemblyDefinition> All => Assemblies.Select(assembly => assembly.Definition);

    /// <summary>The assemblies of the projects at or below a folder.</summary>
    public IEnumerable<AssemblyDefinition> Of(string folder) =>
        Assemblies.Where(assembly => assembly.Folder == folder || assembly.Folder.StartsWith(folder + "/", StringComparison.Ordinal)).Select(assembly => assembly.Definition);

    /// <summary>All but those of the projects at or below a folder.</summary>
    public IEnumerable<AssemblyDefinition> Except(string folder) => All.Except(Of(folder));

    /// <summary>An assembly of tests, read like the others.</summary>
    public static AssemblyDefinition Tests(string name) => Load($"Coordinator.Tests.{name}");

    /// <summary>The project files below a folder, relative to the root.</summary>
    public static IEnumerable<string> ProjectFiles(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
            .Where(path => !path.Contains("node_modules", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Root, path))
            .Order(StringComparer.Ordinal);

    private static HouseAssembly Read(string projectFile)
    {
        var named = XDocument.Load(Path.Combine(Root, projectFile)).Descendants("AssemblyName").FirstOrDefault()?.Value;
        return new(Path.GetDirectoryName(projectFile)!.Replace('\\', '/'), Load(named ?? Path.GetFileNameWithoutExtension(projectFile)));
    }

    /// <summary>Another reading of the same assembly, which may be changed.</summary>
    public static AssemblyDefinition Read(AssemblyDefinition assembly) => Load(assembly.Name.Name);

    private static AssemblyDefinition Load(string name) => AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, name + ".dll"));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Coordinator.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No Coordinator.sln stands above {AppContext.BaseDirectory}.");
    }
}

/// <summary>One project of src: where it stands, and what it was compiled to.</summary>
public sealed record HouseAssembly(string Folder, AssemblyDefinition Definition);

using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Coordinator.CodePaths;

// In this process: BenchmarkDotNet's own way compiles a project for each benchmark, which needs packages from the network.
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddLogger(ConsoleLogger.Default)
    .AddExporter(MarkdownExporter.GitHub, JsonExporter.Brief)
    .WithArtifactsPath(args is [var folder, ..] ? folder : "artifacts/codepaths")
    .WithOptions(ConfigOptions.DisableLogFile);
var summaries = new[] { BenchmarkRunner.Run<Deciding>(config), BenchmarkRunner.Run<Stepping>(config), BenchmarkRunner.Run<Writing>(config), BenchmarkRunner.Run<Reading>(config) };
return summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;

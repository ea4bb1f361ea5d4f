using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Bench.Measuring;

/// <summary>Everything one run measured, as a table for people and as JSON for comparisons.</summary>
internal sealed record BenchReport(DateTimeOffset At, Machine Machine, IReadOnlyList<Measurement> Measurements)
{
    public string ToTable()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{At:yyyy-MM-dd HH:mm} UTC · {Machine.Processor}, {Machine.Cores} cores, {Machine.MemoryGb} GB · {Machine.Runtime} · load {Machine.LoadBefore} before, {Machine.LoadAfter} after");
        text.AppendLine();
        text.AppendLine("| What | Figure | | Target |");
        text.AppendLine("|---|---:|---|---|");
        foreach (var one in Measurements)
        {
            var target = one.IsMet is { } met ? string.Create(CultureInfo.InvariantCulture, $"{(one.Below is null ? ">" : "<")} {one.Below ?? one.Above:#,0.##} {(met ? "met" : "MISSED")}") : string.Empty;
            text.AppendLine(CultureInfo.InvariantCulture, $"| {one.Area}: {one.Name} | {one.Value:#,0.##} | {one.Unit} | {target} |");
        }

        return text.ToString();
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ReportJson.Default.BenchReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class ReportJson : JsonSerializerContext;

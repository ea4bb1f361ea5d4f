using System.Text;
using System.Text.Json;
using Coordinator.Ports.Compute.DataPlane;
using Xunit;

namespace Coordinator.Tests.Modules.DataPlane;

/// <summary>The signature of data plane requests, against the vectors that the Modal app's own checks use.</summary>
public sealed class RequestSignatureTests
{
    private static readonly JsonElement Vectors = Read();

    public static TheoryData<string> ToSign => [.. Names("signed")];

    public static TheoryData<string> Refused => [.. Names("refused")];

    [Theory]
    [MemberData(nameof(ToSign))]
    public void Every_vector_is_signed_as_written(string name)
    {
        var vector = Find("signed", name);
        var at = DateTimeOffset.FromUnixTimeSeconds(vector.GetProperty("timestamp").GetInt64());

        var signature = RequestSignature.Create(Text(vector, "keyId"), Secret(vector), RequestOf(vector), at, Text(vector, "nonce"));

        Assert.Equal(Text(vector, "authorization"), signature.ToString());
        Assert.True(RequestSignature.TryParse(Text(vector, "authorization"), out var parsed));
        Assert.Equal(signature, parsed);
        Assert.True(parsed.Covers(Secret(vector), RequestOf(vector)));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Every_broken_vector_is_refused_by_its_name(string name)
    {
        var vector = Find("refused", name);

        var code = !RequestSignature.TryParse(Text(vector, "authorization"), out var signature) ? "signature_missing"
            : signature.KeyId != "main" ? "key_unknown"
            : signature.Covers(Secret(vector), RequestOf(vector)) ? "none" : "signature_invalid";

        Assert.Equal(Text(vector, "code"), code);
    }

    private static IEnumerable<string> Names(string list) => Vectors.GetProperty(list).EnumerateArray().Select(vector => Text(vector, "name"));

    private static JsonElement Find(string list, string name) => Vectors.GetProperty(list).EnumerateArray().Single(vector => Text(vector, "name") == name);

    private static SignedRequest RequestOf(JsonElement vector) => new(Text(vector, "method"), Text(vector, "target"), Encoding.UTF8.GetBytes(Text(vector, "body")));

    private static byte[] Secret(JsonElement vector) => Encoding.UTF8.GetBytes(Text(vector, "secret"));

    private static string Text(JsonElement vector, string name) => vector.GetProperty(name).GetString()!;

    private static JsonElement Read()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "deploy", "modal", "signature_vectors.json");
            if (File.Exists(file)) return JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        }

        throw new FileNotFoundException("deploy/modal/signature_vectors.json stands nowhere above the tests.");
    }
}

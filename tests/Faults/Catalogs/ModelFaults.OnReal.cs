using System.Text;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class ModelGatewayFaults
{
    private const string Lost = "Its answer is lost: the call may have cost money and is not repeated";

    private static readonly byte[] Question = """{"model":"fast","stream":true,"messages":[{"role":"user","content":"@say Quite a long answer, in several pieces."}]}"""u8.ToArray();

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Calling(RealPlay.Refused("It cannot be reached", Provider), "Unavailable"),
        Calling(RealPlay.CutOff(Lost, Provider), "Unavailable"),
        Calling(RealPlay.Swallowed(Lost, Provider), "Timeout"),
        Calling(RealPlay.CutOff("It is cut off in the middle of its answer: that is not an end", Provider, afterBytes: 400), "Unavailable"),
        Calling(RealPlay.Slow("It is slow", Provider), "ok"),
    ];

    private static FaultProxy Provider(RealOutside outside) => outside.Models;

    private static RealPlay Calling(RealPlay play, string sees) => play with
    {
        Sees = sees,
        Beside = async outside =>
        {
            var (organization, directory) = (outside.World.Key.Organization, outside.World.Port<ITenantDirectory>());
            var owner = await directory.EnsureOwnerAsync(CancellationToken.None);
            await directory.CreateOrganizationAsync(new(organization, "Acme", owner.User, TimeProvider.System.GetUtcNow()), CancellationToken.None);
            var secret = await outside.World.Port<ITenantVault>().SealAsync(organization, "models/acme", Encoding.UTF8.GetBytes(RealOutside.ModelKey), CancellationToken.None);
            await directory.PutSecretAsync(organization, new("models/acme", secret, "hint", TimeProvider.System.GetUtcNow()), CancellationToken.None);
            return () => CallAsync(outside);
        },
    };

    private static async ValueTask<string> CallAsync(RealOutside outside)
    {
        var before = outside.Peers.Models.Calls.Count;
        try
        {
            return await AnswerAsync(outside);
        }
        finally
        {
            Assert.InRange(outside.Peers.Models.Calls.Count - before, 0, 1);
        }
    }

    private static async ValueTask<string> AnswerAsync(RealOutside outside)
    {
        var request = new ModelRequest("acme/fast", "chat/completions", Question, new Dictionary<string, string>());
        var answer = await outside.World.Port<IModelGateway>().SendAsync(outside.World.Key.Organization, request, CancellationToken.None);
        if (!answer.IsSuccess) return answer.Problem.Code;
        await using var response = answer.Value;
        using var reader = new StreamReader(response.Body);
        return (await reader.ReadToEndAsync()).Contains("[DONE]", StringComparison.Ordinal) ? "ok" : "a part";
    }
}

public sealed partial class ModelCatalogFaults
{
    public override string WhyNotOnReal => "The bundled catalog is a part of the program: nothing is between it and its reader.";
}

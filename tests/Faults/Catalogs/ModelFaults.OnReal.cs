using Coordinator.Ports;
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
        Calling(RealPlay.Corrupt("It answers what makes no sense: the call may have cost money and is not repeated", Provider, 0), "Unavailable"),
        Calling(Answered("It refuses the key: the refusal does not repeat it", 401, $$$"""{"error":{"message":"Incorrect API key provided: {{{RealOutside.ModelKey}}}"}}"""), "401"),
        Calling(Answered("It is asked too often: how long to wait is told", 429, """{"error":{"message":"Rate limit reached"}}""", ("Retry-After", "30")), "429 after 30"),
        Calling(Answered("It is overloaded", 503, """{"error":{"message":"Overloaded"}}"""), "503"),
        Calling(Answered("The context is longer than the model takes: that is told as the model says it", 400, """{"error":{"code":"context_length_exceeded"}}"""), "400"),
    ];

    private static FaultProxy Provider(RealOutside outside) => outside.Models;

    /// <summary>The provider itself says it, in its next answer.</summary>
    private static RealPlay Answered(string of, int status, string body, params (string Name, string Value)[] headers) =>
        RealPlay.By(of, $"answered {status}", outside => outside.Peers.Models.AnswerNext(status, body, headers)) with { IsOfNetwork = false };

    private static RealPlay Calling(RealPlay play, string sees)
    {
        var caller = new Caller();
        return play with { Sees = sees, Beside = caller.PrepareAsync, Holds = caller.HoldsAsync };
    }

    /// <summary>An organization with a key of its own that asks a model again and again.</summary>
    private sealed class Caller
    {
        private readonly List<string> told = [];
        private int asked;
        private int reached;

        public async ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside)
        {
            await outside.StoreSecretAsync("models/acme", RealOutside.ModelKey);
            reached = outside.Peers.Models.Calls.Count;
            return () => CallAsync(outside);
        }

        /// <summary>No call was made twice, and no answer, refusal or failure holds the key.</summary>
        public ValueTask HoldsAsync(RealOutside outside)
        {
            Assert.InRange(outside.Peers.Models.Calls.Count - reached, 2, asked);
            Assert.All(told, text => Assert.DoesNotContain(RealOutside.ModelKey, text, StringComparison.Ordinal));
            return ValueTask.CompletedTask;
        }

        private async ValueTask<string> CallAsync(RealOutside outside)
        {
            asked++;
            try
            {
                return await AnswerAsync(outside);
            }
            catch (PortException failure)
            {
                told.Add(failure.ToString());
                throw;
            }
        }

        private async ValueTask<string> AnswerAsync(RealOutside outside)
        {
            var request = new ModelRequest("acme/fast", "chat/completions", Question, new Dictionary<string, string>());
            var answer = await outside.World.Port<IModelGateway>().SendAsync(outside.World.Key.Organization, request, CancellationToken.None);
            if (!answer.IsSuccess) return answer.Problem.Code;
            await using var response = answer.Value;
            using var reader = new StreamReader(response.Body);
            var text = await reader.ReadToEndAsync();
            told.Add(text);
            if (response.Status == 400) Assert.Contains("context_length_exceeded", text, StringComparison.Ordinal);
            var wait = response.Headers.TryGetValue("Retry-After", out var seconds) ? $" after {seconds}" : "";
            return response.Status != 200 ? $"{response.Status}{wait}" : text.Contains("[DONE]", StringComparison.Ordinal) ? "ok" : "a part";
        }
    }
}

public sealed partial class ModelCatalogFaults
{
    public override string WhyNotOnReal => "The bundled catalog is a part of the program: nothing is between it and its reader.";
}

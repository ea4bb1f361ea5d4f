using System.Text.Json;
using Coordinator.Adapters.OpenCode.Turns;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

public sealed class TurnFailureTests
{
    [Theory]
    [InlineData("""{"name":"APIError","data":{"message":"Unauthorized","statusCode":401}}""", "refused the key (401): Unauthorized. Check the provider's key.")]
    [InlineData("""{"name":"ProviderAuthError","data":{"providerID":"p","message":"no key"}}""", "refused the key (401): no key.")]
    [InlineData("""{"name":"APIError","data":{"message":"slow down","statusCode":429}}""", "limits the rate, or the quota is used up (429): slow down.")]
    [InlineData("""{"name":"ContextOverflowError","data":{"message":"too many tokens"}}""", "longer than the model's context window: too many tokens.")]
    [InlineData("""{"name":"UnknownError","data":{"message":"maximum context length is 8"}}""", "longer than the model's context window")]
    [InlineData("""{"name":"APIError","data":{"message":"Bad Gateway","statusCode":502}}""", "is in trouble (502): Bad Gateway. Try again later.")]
    [InlineData("""{"name":"MessageOutputLengthError","data":{}}""", "cut off at the model's output limit")]
    [InlineData("""{"name":"SomethingNew"}""", "could not answer: no reason was given.")]
    public void The_causes_a_user_treats_differently_are_told_apart(string error, string detail)
    {
        var failure = TurnFailure.Of(JsonElement.Parse(error));

        Assert.Equal("model_error", failure.Code);
        Assert.Contains(detail, failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_providers_own_words_are_preferred_to_the_status_line()
    {
        var failure = TurnFailure.Of(JsonElement.Parse("""{"name":"APIError","data":{"message":"Bad Request","statusCode":400,"responseBody":"{\"error\":{\"message\":\"no such tool\"}}"}}"""));

        Assert.Contains("no such tool", failure.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_key_missing")]
    [InlineData("secret_key_lost")]
    public void A_key_the_gateway_does_not_have_is_told_as_such(string code)
    {
        var failure = TurnFailure.Of(JsonElement.Parse("""{"name":"APIError","data":{"message":"Unprocessable","statusCode":422,"responseBody":"{\"code\":\"CODE\",\"detail\":\"Add OPENAI_API_KEY in the settings.\"}"}}""".Replace("CODE", code, StringComparison.Ordinal)));

        Assert.Equal(new TurnFailure(code, "Add OPENAI_API_KEY in the settings."), failure);
    }
}

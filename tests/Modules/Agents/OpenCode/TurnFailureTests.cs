using System.Text.Json;
using System.Text.Json.Nodes;
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
    [InlineData("""{"error":{"message":"The control plane does not answer; try again.","type":"host_unavailable","code":"host_unavailable"}}""", "control_plane_unavailable", "The control plane did not answer the model call (503, host_unavailable). Send the message again.")]
    [InlineData("""{"error":{"message":"Something this needs is down","type":"api_error","code":"dependency_unavailable"}}""", "control_plane_unavailable", "The control plane could not take the model call, for something that it needs, such as its database, was away (503, dependency_unavailable). Send the message again.")]
    [InlineData("""{"type":"https://coordinator.dev/problems/host_starting","title":"Service Unavailable","status":503,"code":"host_starting","detail":"The host is starting."}""", "control_plane_unavailable", "The control plane was starting and could not take the model call (503, host_starting). Send the message again.")]
    [InlineData("""{"error":{"message":"Stored data could not be read; an operator must look at the log.","type":"api_error","code":"stored_data_unreadable"}}""", "stored_data_unreadable", "The control plane could not read something of its own that the model call needs: Stored data could not be read; an operator must look at the log.")]
    [InlineData("""{"error":{"message":"Overloaded","type":"api_error","code":"overloaded"}}""", "model_error", "The model provider is in trouble (503): Overloaded. Try again later.")]
    public void A_control_plane_that_was_away_is_not_told_as_its_models_provider(string body, string code, string detail)
    {
        var error = new JsonObject { ["name"] = "APIError", ["data"] = new JsonObject { ["message"] = "Service Unavailable", ["statusCode"] = 503, ["responseBody"] = body } };

        Assert.Equal(new TurnFailure(code, detail), TurnFailure.Of(JsonElement.Parse(error.ToJsonString())));
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

using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Models.Tokens;

/// <summary><c>POST /v1/bridge/gateway-token</c>: a box gets the short-lived token it calls models with.</summary>
internal sealed class MintGatewayToken(GatewayTokens tokens, ISessionHost sessions) : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/bridge/gateway-token", (Delegate)HandleAsync).ForBoxes().WithName("MintGatewayToken");

    private async Task<IResult> HandleAsync(HttpContext context)
    {
        var box = await context.AuthorizeBoxAsync(sessions, context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return box.ToHttp(authorized =>
        {
            var (token, expiresAt) = tokens.Mint(authorized.Key, authorized.Credential);
            return Results.Json(new GatewayTokenAnswer(token, expiresAt, RelaysAnswers: true), ModelsJson.Default.GatewayTokenAnswer);
        });
    }
}

/// <summary>A token for the model route, when it stops working, and that calls are answered at once by who is asked for the relayed form.</summary>
internal sealed record GatewayTokenAnswer(string Token, DateTimeOffset ExpiresAt, bool RelaysAnswers)
{
    /// <summary>Never prints the token.</summary>
    public override string ToString() => $"gateway token until {ExpiresAt:O}";
}

using Coordinator.Modules.Models.Tokens;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

public sealed class GatewayTokenTests
{
    private readonly ManualTime time = new();
    private readonly SessionKey key;
    private readonly BoxCredential box;
    private readonly GatewayTokens tokens;

    public GatewayTokenTests()
    {
        key = new(OrganizationId.New(time), SessionId.New(time));
        box = new(SandboxId.New(time), 3, new byte[32]);
        tokens = new(new ModelsServer.Signer("master"), time);
    }

    [Fact]
    public void A_token_says_for_which_box_it_speaks()
    {
        var (token, expiresAt) = tokens.Mint(key, box);

        Assert.True(tokens.TryRead(token, out var claims));
        Assert.Equal(new GatewayClaims(key, box.Sandbox, 3, expiresAt), claims);
        Assert.Equal(time.GetUtcNow() + GatewayTokens.Lifetime, expiresAt, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_token_of_another_process_with_the_same_master_key_is_taken() =>
        Assert.True(new GatewayTokens(new ModelsServer.Signer("master"), time).TryRead(tokens.Mint(key, box).Token, out _));

    [Fact]
    public void A_token_under_another_master_key_is_not_taken() =>
        Assert.False(tokens.TryRead(new GatewayTokens(new ModelsServer.Signer("stranger"), time).Mint(key, box).Token, out _));

    [Fact]
    public void A_token_stops_working_after_fifteen_minutes()
    {
        var (token, _) = tokens.Mint(key, box);

        time.Advance(TimeSpan.FromMinutes(15) - TimeSpan.FromSeconds(1));
        Assert.True(tokens.TryRead(token, out _));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(tokens.TryRead(token, out _));
    }

    [Fact]
    public void No_character_of_a_token_can_be_changed()
    {
        var (token, _) = tokens.Mint(key, box);
        for (var i = 0; i < token.Length - 1; i++)
        {
            var tampered = $"{token[..i]}{(token[i] == '1' ? '2' : '1')}{token[(i + 1)..]}";
            Assert.False(tokens.TryRead(tampered, out _), $"character {i}");
        }
    }

    [Fact]
    public void The_parts_of_two_tokens_cannot_be_put_together()
    {
        var other = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        var mine = tokens.Mint(key, box).Token;
        var theirs = tokens.Mint(other, box).Token;

        Assert.False(tokens.TryRead($"{theirs[..theirs.LastIndexOf('.')]}{mine[mine.LastIndexOf('.')..]}", out _));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("gt_")]
    [InlineData("gt_.")]
    [InlineData("gt_a.b.c.d.e.f")]
    [InlineData("gt_....%%%")]
    [InlineData("sb_org.ses.box.1.secret")]
    public void Junk_is_not_a_token(string? text) => Assert.False(tokens.TryRead(text, out _));
}

using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>What every tenant directory promises about idempotent requests.</summary>
public abstract class RequestMemoryContract
{
    private const string Scope = "User:usr_1";
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    /// <summary>Longer than any test takes, however slow the machine is.</summary>
    private static readonly TimeSpan Held = TimeSpan.FromHours(1);
    private static readonly byte[] Body = [1, 2, 3];
    private static readonly byte[] OtherBody = [3, 2, 1];

    protected abstract ITenantDirectoryHarness Harness { get; }

    private ITenantDirectory Directory => Harness.Directory;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_claim_runs_and_later_ones_get_its_answer(bool repeatsRecognised)
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);
        Assert.Equal(claim, Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization)).Claim);

        await Directory.CompleteRequestAsync(organization, Scope, "k", claim, new(201, "application/json", [123, 125]), repeatsRecognised, default);

        var answered = Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization));
        Assert.Equal((201, "application/json"), (answered.Answer.Status, answered.Answer.ContentType));
        Assert.Equal([123, 125], answered.Answer.Body);
    }

    [Fact]
    public async Task Of_twenty_who_claim_at_once_one_runs()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => ClaimAsync(organization))));

        Assert.Single(claims, claim => claim is RequestClaim.Mine);
        Assert.Equal(19, claims.Count(claim => claim is RequestClaim.InProgress));
    }

    [Fact]
    public async Task The_same_key_with_another_body_differs_before_and_after_the_answer()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);
        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, body: OtherBody));
        await Directory.CompleteRequestAsync(organization, Scope, "k", claim, new(204, "", []), repeatsRecognised: false, default);

        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, body: OtherBody));
    }

    [Fact]
    public async Task Keys_of_other_principals_and_other_tenants_are_other_keys()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var foreign = await Harness.AddOrganizationAsync("Evil");
        await ClaimAsync(organization);

        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(foreign, body: OtherBody));
        Assert.IsType<RequestClaim.Mine>(await Directory.ClaimRequestAsync(organization, "User:usr_2", "k", OtherBody, Now, Held, default));
    }

    [Fact]
    public async Task An_abandoned_claim_can_be_made_anew_and_an_answered_one_cannot_be_abandoned()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var first = await MineAsync(organization);
        await Directory.AbandonRequestAsync(organization, Scope, "k", first, default);
        var second = await MineAsync(organization, OtherBody);

        await Directory.CompleteRequestAsync(organization, Scope, "k", second, new(200, "", [1]), repeatsRecognised: false, default);
        await Directory.AbandonRequestAsync(organization, Scope, "k", second, default);

        Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization, body: OtherBody));
    }

    [Fact]
    public async Task A_claim_that_nobody_holds_any_more_is_taken_over_by_the_same_request_only()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);

        await Harness.PassForClaimsAsync(Held / 2);
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));
        await Harness.PassForClaimsAsync(Held / 2);
        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, body: OtherBody));
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));
    }

    [Fact]
    public async Task The_callers_clock_frees_no_claim()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);

        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddHours(23)));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddHours(-23)));
    }

    [Fact]
    public async Task A_claim_that_is_held_again_stays_as_long_again()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);
        for (var i = 0; i < 3; i++)
        {
            await Harness.PassForClaimsAsync(Held / 2);
            Assert.True(await Directory.HoldRequestAsync(organization, Scope, "k", claim, Held, default));
        }

        await Harness.PassForClaimsAsync(Held / 2);
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));
    }

    [Fact]
    public async Task Who_lost_a_claim_can_neither_hold_nor_answer_nor_abandon_it()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var lost = await MineAsync(organization);
        await Harness.PassForClaimsAsync(Held);
        var present = await MineAsync(organization);

        Assert.False(await Directory.HoldRequestAsync(organization, Scope, "k", lost, Held, default));
        await Directory.CompleteRequestAsync(organization, Scope, "k", lost, new(201, "", [1]), repeatsRecognised: false, default);
        await Directory.AbandonRequestAsync(organization, Scope, "k", lost, default);
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));
        await Directory.CompleteRequestAsync(organization, Scope, "k", present, new(202, "", [2]), repeatsRecognised: false, default);

        Assert.Equal(202, Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization)).Answer.Status);
        Assert.True(await Directory.HoldRequestAsync(organization, Scope, "k", present, Held, default)); // it is still who it was
    }

    [Fact]
    public async Task A_claim_that_nobody_took_over_can_be_held_late()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);
        await Harness.PassForClaimsAsync(Held * 2);

        Assert.True(await Directory.HoldRequestAsync(organization, Scope, "k", claim, Held, default));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));
    }

    [Fact]
    public async Task An_answer_is_kept_for_a_day()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);
        await Directory.CompleteRequestAsync(organization, Scope, "k", claim, new(200, "", [1]), repeatsRecognised: false, default);

        Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization, Now.AddHours(24).AddMilliseconds(-1)));
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization, Now.AddHours(24), OtherBody));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddHours(24), OtherBody));
    }

    [Fact]
    public async Task A_resent_error_is_stored_twice()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var claim = await MineAsync(organization);

        await Directory.CompleteRequestAsync(organization, Scope, "k", claim, new(422, "application/problem+json", [1]), repeatsRecognised: false, default);
        await Directory.CompleteRequestAsync(organization, Scope, "k", claim, new(201, "application/json", [2]), repeatsRecognised: false, default);

        Assert.Equal(422, Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization)).Answer.Status);
    }

    private async Task<RequestClaim> ClaimAsync(OrganizationId organization, DateTimeOffset? at = null, byte[]? body = null) =>
        await Directory.ClaimRequestAsync(organization, Scope, "k", body ?? Body, at ?? Now, Held, default);

    private async Task<Guid> MineAsync(OrganizationId organization, byte[]? body = null) => Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization, body: body)).Id;
}

using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>What every tenant directory promises about idempotent requests.</summary>
public abstract class RequestMemoryContract
{
    private const string Scope = "User:usr_1";
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Body = [1, 2, 3];
    private static readonly byte[] OtherBody = [3, 2, 1];

    protected abstract ITenantDirectoryHarness Harness { get; }

    private ITenantDirectory Directory => Harness.Directory;

    [Fact]
    public async Task The_first_claim_runs_and_later_ones_get_its_answer()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization));

        await Directory.CompleteRequestAsync(organization, Scope, "k", new(201, "application/json", [123, 125]), default);

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
        await ClaimAsync(organization);
        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, body: OtherBody));
        await Directory.CompleteRequestAsync(organization, Scope, "k", new(204, "", []), default);

        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, body: OtherBody));
    }

    [Fact]
    public async Task Keys_of_other_principals_and_other_tenants_are_other_keys()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var foreign = await Harness.AddOrganizationAsync("Evil");
        await ClaimAsync(organization);

        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(foreign, body: OtherBody));
        Assert.IsType<RequestClaim.Mine>(await Directory.ClaimRequestAsync(organization, "User:usr_2", "k", OtherBody, Now, default));
    }

    [Fact]
    public async Task An_abandoned_claim_can_be_made_anew_and_an_answered_one_cannot_be_abandoned()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);
        await Directory.AbandonRequestAsync(organization, Scope, "k", default);
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization, body: OtherBody));

        await Directory.CompleteRequestAsync(organization, Scope, "k", new(200, "", [1]), default);
        await Directory.AbandonRequestAsync(organization, Scope, "k", default);

        Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization, body: OtherBody));
    }

    [Fact]
    public async Task A_claim_without_an_answer_is_taken_over_after_five_minutes_by_the_same_request_only()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);

        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddMinutes(5).AddMilliseconds(-1)));
        Assert.IsType<RequestClaim.Differs>(await ClaimAsync(organization, Now.AddMinutes(5), OtherBody));
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization, Now.AddMinutes(5)));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddMinutes(6)));
    }

    [Fact]
    public async Task An_answer_is_kept_for_a_day()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);
        await Directory.CompleteRequestAsync(organization, Scope, "k", new(200, "", [1]), default);

        Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization, Now.AddHours(24).AddMilliseconds(-1)));
        Assert.IsType<RequestClaim.Mine>(await ClaimAsync(organization, Now.AddHours(24), OtherBody));
        Assert.IsType<RequestClaim.InProgress>(await ClaimAsync(organization, Now.AddHours(24), OtherBody));
    }

    [Fact]
    public async Task A_resent_error_is_stored_twice()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await ClaimAsync(organization);

        await Directory.CompleteRequestAsync(organization, Scope, "k", new(422, "application/problem+json", [1]), default);
        await Directory.CompleteRequestAsync(organization, Scope, "k", new(201, "application/json", [2]), default);

        Assert.Equal(422, Assert.IsType<RequestClaim.Answered>(await ClaimAsync(organization)).Answer.Status);
    }

    private async Task<RequestClaim> ClaimAsync(OrganizationId organization, DateTimeOffset? at = null, byte[]? body = null) =>
        await Directory.ClaimRequestAsync(organization, Scope, "k", body ?? Body, at ?? Now, default);
}

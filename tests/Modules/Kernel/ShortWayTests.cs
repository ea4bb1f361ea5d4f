using Coordinator.Fakes;
using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.Kernel;

/// <summary>
/// A caller whose credential is known at once is let on without a step of its own that would be held for as long as the request lasts.
/// Nothing else is different: what takes both ways is tested on both.
/// </summary>
public sealed class ShortWayTests
{
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private readonly ManualTime time = new();
    private readonly InMemoryTenantDirectory directory;
    private readonly InMemoryAuthenticator authenticator;
    private readonly TaskCompletionSource work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DefaultHttpContext context = new();
    private readonly OrganizationId organization;
    private readonly UserId ada;
    private TenantContext? served;

    public ShortWayTests()
    {
        directory = new(time);
        authenticator = new(directory, time);
        (organization, ada) = (directory.AddOrganization("Acme"), directory.AddUser("Ada"));
        directory.SetRole(organization, ada, Role.Member);
        context.SetEndpoint(new(null, EndpointMetadataCollection.Empty, "one that wants a tenant"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_is_known_is_served_as_who_it_is_and_answered_when_the_work_is_done(bool late)
    {
        await PresentAsync();

        var asking = Ask(late);

        Assert.Equal((organization, Role.Member), (served!.Organization, served.Role));
        Assert.NotNull(context.Features.Get<CallerClaim>());
        Assert.False(asking.IsCompleted);
        work.SetResult();
        await asking.WaitAsync(Eventually.Bound);
        Assert.Equal(200, context.Response.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_credential_that_is_refused_is_refused_and_nothing_is_done_for_it(bool late)
    {
        context.Request.Headers.Authorization = "Bearer ck_unknown";

        await Ask(late).WaitAsync(Eventually.Bound);

        Assert.Equal((401, null), (context.Response.StatusCode, served));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_organization_that_is_not_ones_own_is_none_and_nothing_is_done_in_it(bool late)
    {
        await PresentAsync();
        context.Request.Headers[CredentialReader.OrganizationHeader] = directory.AddOrganization("Another").ToString();

        await Ask(late).WaitAsync(Eventually.Bound);

        Assert.Equal((404, null), (context.Response.StatusCode, served));
    }

    [Fact]
    public async Task A_page_of_another_site_is_refused_whatever_its_cookie()
    {
        var cookie = await authenticator.IssueBrowserSessionAsync(ada, TimeSpan.FromDays(1), default);
        context.Request.Headers.Cookie = $"{BrowserCookie.Name}={cookie.Secret}";
        context.Request.Headers.Origin = "https://evil.example";
        context.Request.Method = HttpMethods.Post;

        await Ask(late: false).WaitAsync(Eventually.Bound);

        Assert.Equal((403, null), (context.Response.StatusCode, served));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_cannot_be_asked_about_is_not_served_and_the_failure_is_told(bool late)
    {
        await PresentAsync();
        directory.Faults.FailBefore();

        await Assert.ThrowsAsync<PortException>(() => Ask(late).WaitAsync(Eventually.Bound));

        Assert.Null(served);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_goes_wrong_in_the_work_is_told(bool late)
    {
        await PresentAsync();

        var asking = Ask(late);
        work.SetException(new InvalidOperationException("the work went wrong"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => asking.WaitAsync(Eventually.Bound));
    }

    private async Task PresentAsync()
    {
        var key = await authenticator.IssueApiKeyAsync(new(organization, ada, Role.Member, "key", null), default);
        context.Request.Headers.Authorization = $"Bearer {key.Secret}";
    }

    /// <summary>Late, nobody is served before it is known who asks.</summary>
    private Task Ask(bool late)
    {
        if (late) authenticator.Faults.Slow(Late, time);
        var asking = new AuthenticationMiddleware(WorkAsync, new(authenticator, directory)).InvokeAsync(context);
        if (!late) return asking;
        Assert.Null(served);
        time.Advance(Late);
        return asking;
    }

    private Task WorkAsync(HttpContext asked)
    {
        served = asked.Tenant();
        return work.Task;
    }
}

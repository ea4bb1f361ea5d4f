using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

public sealed partial class InMemoryTenantDirectory
{
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);
    private static readonly TimeSpan ClaimHeld = TimeSpan.FromMinutes(5);
    private readonly Dictionary<(OrganizationId, string, string), Request> requests = [];

    /// <summary>Forgets every request, as a directory does whose answers were lost.</summary>
    public void ForgetRequests()
    {
        lock (gate) requests.Clear();
    }

    public ValueTask<RequestClaim> ClaimRequestAsync(OrganizationId organization, string scope, string key, ReadOnlyMemory<byte> bodyHash, DateTimeOffset now, CancellationToken cancellationToken) =>
        Faults.Run<RequestClaim>(() =>
        {
            var name = (organization, scope, key);
            lock (gate)
            {
                if (!requests.TryGetValue(name, out var known) || now - known.ClaimedAt >= AnswersKept)
                {
                    requests[name] = new(bodyHash.ToArray(), now, null);
                    return new RequestClaim.Mine();
                }

                if (!known.BodyHash.AsSpan().SequenceEqual(bodyHash.Span)) return new RequestClaim.Differs();
                if (known.Answer is not null) return new RequestClaim.Answered(known.Answer);
                if (now - known.ClaimedAt < ClaimHeld) return new RequestClaim.InProgress();
                requests[name] = known with { ClaimedAt = now };
                return new RequestClaim.Mine();
            }
        }, cancellationToken);

    public ValueTask CompleteRequestAsync(OrganizationId organization, string scope, string key, StoredAnswer answer, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (requests.TryGetValue((organization, scope, key), out var known) && known.Answer is null)
                    requests[(organization, scope, key)] = known with { Answer = answer };
            }
        }, cancellationToken);

    public ValueTask AbandonRequestAsync(OrganizationId organization, string scope, string key, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (requests.TryGetValue((organization, scope, key), out var known) && known.Answer is null) requests.Remove((organization, scope, key));
            }
        }, cancellationToken);

    private sealed record Request(byte[] BodyHash, DateTimeOffset ClaimedAt, StoredAnswer? Answer);
}

using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

public sealed partial class InMemoryTenantDirectory
{
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);
    private readonly Dictionary<(OrganizationId, string, string), Request> requests = [];

    /// <summary>Forgets every request, as a directory does whose answers were lost.</summary>
    public void ForgetRequests()
    {
        lock (gate) requests.Clear();
    }

    /// <summary>Forgets the answers that need not be durable, and the claims on them, as a directory that has crashed may have.</summary>
    public void ForgetRecognisedRepeats()
    {
        lock (gate)
        {
            foreach (var (name, _) in requests.Where(known => known.Value.RepeatsRecognised).ToList()) requests.Remove(name);
        }
    }

    public ValueTask<RequestClaim> ClaimRequestAsync(OrganizationId organization, string scope, string key, ReadOnlyMemory<byte> bodyHash, DateTimeOffset now, TimeSpan held, CancellationToken cancellationToken) =>
        Faults.Run<RequestClaim>(() =>
        {
            var name = (organization, scope, key);
            lock (gate)
            {
                if (requests.TryGetValue(name, out var known) && now - known.ClaimedAt < AnswersKept)
                {
                    if (!known.BodyHash.AsSpan().SequenceEqual(bodyHash.Span)) return new RequestClaim.Differs();
                    if (known.Answer is not null) return new RequestClaim.Answered(known.Answer);
                    if (time.GetElapsedTime(known.HeldSince) < known.Held) return new RequestClaim.InProgress(known.Claim);
                }

                requests[name] = new(bodyHash.ToArray(), now, PrefixedId.NewValue(time), time.GetTimestamp(), held, null);
                return new RequestClaim.Mine(requests[name].Claim);
            }
        }, cancellationToken);

    public ValueTask<bool> HoldRequestAsync(OrganizationId organization, string scope, string key, Guid claim, TimeSpan held, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (!requests.TryGetValue((organization, scope, key), out var own) || own.Claim != claim) return false;
                requests[(organization, scope, key)] = own with { HeldSince = time.GetTimestamp(), Held = held };
                return true;
            }
        }, cancellationToken);

    public ValueTask CompleteRequestAsync(OrganizationId organization, string scope, string key, Guid claim, StoredAnswer answer, bool repeatsRecognised, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (OwnOf((organization, scope, key), claim) is { } own) requests[(organization, scope, key)] = own with { Answer = answer, RepeatsRecognised = repeatsRecognised };
            }
        }, cancellationToken);

    public ValueTask AbandonRequestAsync(OrganizationId organization, string scope, string key, Guid claim, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (OwnOf((organization, scope, key), claim) is not null) requests.Remove((organization, scope, key));
            }
        }, cancellationToken);

    private Request? OwnOf((OrganizationId, string, string) name, Guid claim) =>
        requests.TryGetValue(name, out var known) && known.Answer is null && known.Claim == claim ? known : null;

    private sealed record Request(byte[] BodyHash, DateTimeOffset ClaimedAt, Guid Claim, long HeldSince, TimeSpan Held, StoredAnswer? Answer, bool RepeatsRecognised = false);
}

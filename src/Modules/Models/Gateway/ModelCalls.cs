using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// Bounds the model calls under way: how many a box has, and the bytes of their bodies and of what is kept of their answers, each box's, each organization's
/// and all together. They count as they come, and until their call has ended.
/// </summary>
internal sealed class ModelCalls(IOptions<ModelCallOptions> options)
{
    private static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(1);

    private readonly ModelCallOptions most = options.Value;
    private readonly Lock gate = new();
    private readonly Dictionary<SandboxId, Use> boxes = [];
    private readonly Dictionary<OrganizationId, long> organizations = [];
    private long bytes;

    /// <summary>A place for one more call of this box, to be left when it has ended.</summary>
    public Result<Place> Enter(OrganizationId organization, SandboxId box)
    {
        lock (gate)
        {
            var use = boxes.GetValueOrDefault(box);
            if (use.Calls >= most.MaxPerBox) return Busy($"{use.Calls} model calls of this box are under way; wait for one to end.");
            boxes[box] = use with { Calls = use.Calls + 1 };
            return new Place(this, organization, box);
        }
    }

    /// <summary>What a box has under way.</summary>
    public (int Calls, long Bytes) Of(SandboxId box)
    {
        lock (gate) return boxes.TryGetValue(box, out var use) ? (use.Calls, use.Bytes) : default;
    }

    private Problem? Take(OrganizationId organization, SandboxId box, int count)
    {
        lock (gate)
        {
            var use = boxes[box];
            if (use.Bytes + count > most.MaxBytesPerBox) return Busy("The model calls of this box that are under way are as large together as they may be; wait for one to end.");
            var its = organizations.GetValueOrDefault(organization);
            if (its + count > most.MaxBytesPerOrganization) return Busy("The model calls of this organization that are under way are as large together as they may be; try again.");
            if (bytes + count > most.MaxBytes) return Busy("The model calls under way are as large together as this host takes; try again.");
            boxes[box] = use with { Bytes = use.Bytes + count };
            organizations[organization] = its + count;
            bytes += count;
            return null;
        }
    }

    private void Leave(OrganizationId organization, SandboxId box, long taken)
    {
        lock (gate)
        {
            var use = boxes[box];
            if (use.Calls == 1) boxes.Remove(box);
            else boxes[box] = new(use.Calls - 1, use.Bytes - taken);
            var its = organizations.GetValueOrDefault(organization) - taken;
            if (its == 0) organizations.Remove(organization);
            else organizations[organization] = its;
            bytes -= taken;
        }
    }

    private static Problem Busy(string detail) => new("model_calls_busy", detail, ProblemKind.TooMany, ComeBackAfter);

    private readonly record struct Use(int Calls, long Bytes);

    /// <summary>One call's place. Used by that call alone.</summary>
    internal sealed class Place(ModelCalls owner, OrganizationId organization, SandboxId box) : IDisposable
    {
        private long taken;
        private bool left;

        /// <summary>Counts more bytes of the call's body, or of what is kept of its answer; the problem when there is no room for them.</summary>
        public Problem? Take(int count)
        {
            var refused = owner.Take(organization, box, count);
            if (refused is null) taken += count;
            return refused;
        }

        public void Dispose()
        {
            if (left) return;
            left = true;
            owner.Leave(organization, box, taken);
        }
    }
}

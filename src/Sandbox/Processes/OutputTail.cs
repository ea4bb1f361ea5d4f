using System.Text;

namespace Coordinator.Sandbox.Processes;

/// <summary>The last of what was printed, within a bound. Safe for use by two threads at once.</summary>
internal sealed class OutputTail(int maxUnits)
{
    private readonly Lock gate = new();
    private readonly StringBuilder text = new();

    public void Append(string more)
    {
        lock (gate)
        {
            text.Append(more);
            if (text.Length > 2 * maxUnits) text.Remove(0, text.Length - maxUnits);
        }
    }

    /// <summary>Takes what has gathered, leaving nothing.</summary>
    public string Take()
    {
        lock (gate)
        {
            var taken = Last();
            text.Clear();
            return taken;
        }
    }

    public override string ToString()
    {
        lock (gate) return Last();
    }

    private string Last() => text.Length <= maxUnits ? text.ToString() : text.ToString(text.Length - maxUnits, maxUnits);
}

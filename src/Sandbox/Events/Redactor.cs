namespace Coordinator.Sandbox.Events;

/// <summary>
/// Blots out the box's own secrets wherever they come back in what an agent says or prints. The mask is as long as the
/// secret, so that offsets stay true.
/// </summary>
internal sealed class Redactor
{
    private volatile string[] secrets = [];

    /// <summary>From now on this is blotted out; a short text is not taken, it would blot out ordinary words.</summary>
    public void Add(string secret)
    {
        if (secret.Length < 8) return;
        lock (this)
        {
            if (!secrets.Contains(secret)) secrets = [.. secrets.TakeLast(MaxSecrets - 1), secret];
        }
    }

    /// <summary>Gateway tokens are renewed for as long as a box lives.</summary>
    private const int MaxSecrets = 16;

    public string Clean(string text)
    {
        foreach (var secret in secrets)
        {
            if (text.Contains(secret, StringComparison.Ordinal)) text = text.Replace(secret, new string('*', secret.Length), StringComparison.Ordinal);
        }

        return text;
    }
}

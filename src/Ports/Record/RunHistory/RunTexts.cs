namespace Coordinator.Ports.Record;

/// <summary>Which texts a run may hold. Every history must refuse what is against it with <see cref="Check"/>.</summary>
public static class RunTexts
{
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: a text holds NUL or half a surrogate pair, and no database keeps either.</exception>
    public static void Check(RunRecord run)
    {
        foreach (var text in new[] { run.RequestedBy.Id, run.RequestedBy.DisplayName, run.Model, run.Agent, run.SandboxProvider, run.Outcome, run.FailureCode, run.Usage.Model, run.EventsDigest })
        {
            if (text is not null && !IsKept(text)) throw new PortException(PortFailureKind.Rejected, $"A text of run {run.Id} holds NUL or half a surrogate pair.");
        }
    }

    private static bool IsKept(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0') return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }

        return true;
    }
}

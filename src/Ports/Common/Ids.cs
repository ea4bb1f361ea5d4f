using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Ports;

/// <summary>What every id can do, so that one converter and one set of rules serve all of them.</summary>
public interface IPrefixedId<TSelf> : ISpanParsable<TSelf>
    where TSelf : struct, IPrefixedId<TSelf>
{
    /// <summary>The three letters before the underscore.</summary>
    static abstract string Prefix { get; }

    /// <summary>Wraps a UUID.</summary>
    static abstract TSelf From(Guid value);

    /// <summary>The UUID, as PostgreSQL stores it.</summary>
    Guid Value { get; }

    static TSelf IParsable<TSelf>.Parse(string s, IFormatProvider? provider) =>
        PrefixedId.TryParse(TSelf.Prefix, s, out var value) ? TSelf.From(value) : throw new FormatException($"Not an id of the form {TSelf.Prefix}_…: '{s}'.");

    static bool IParsable<TSelf>.TryParse(string? s, IFormatProvider? provider, out TSelf result)
    {
        var ok = PrefixedId.TryParse(TSelf.Prefix, s, out var value);
        result = ok ? TSelf.From(value) : default;
        return ok;
    }

    static TSelf ISpanParsable<TSelf>.Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => TSelf.Parse(s.ToString(), provider);

    static bool ISpanParsable<TSelf>.TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out TSelf result) => TSelf.TryParse(s.ToString(), provider, out result);
}

/// <summary>Ids are JSON strings in their text form.</summary>
public sealed class PrefixedIdJsonConverter<TId> : JsonConverter<TId>
    where TId : struct, IPrefixedId<TId>
{
    /// <inheritdoc/>
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        PrefixedId.TryParse(TId.Prefix, reader.GetString(), out var value) ? TId.From(value) : throw new JsonException($"Not an id of the form {TId.Prefix}_….");

    /// <summary>The text form.</summary>
    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    /// <inheritdoc/>
    public override TId ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader, typeToConvert, options);

    /// <summary>The text form.</summary>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString()!);
}

/// <summary>The id of an organization: the tenant: <c>org_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<OrganizationId>))]
public readonly record struct OrganizationId(Guid Value) : IPrefixedId<OrganizationId>
{
    /// <inheritdoc/>
    public static string Prefix => "org";

    /// <inheritdoc/>
    public static OrganizationId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static OrganizationId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out OrganizationId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a person: <c>usr_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<UserId>))]
public readonly record struct UserId(Guid Value) : IPrefixedId<UserId>
{
    /// <inheritdoc/>
    public static string Prefix => "usr";

    /// <inheritdoc/>
    public static UserId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static UserId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out UserId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of an API key (not the key itself): <c>key_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<ApiKeyId>))]
public readonly record struct ApiKeyId(Guid Value) : IPrefixedId<ApiKeyId>
{
    /// <inheritdoc/>
    public static string Prefix => "key";

    /// <inheritdoc/>
    public static ApiKeyId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static ApiKeyId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out ApiKeyId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a session: <c>ses_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<SessionId>))]
public readonly record struct SessionId(Guid Value) : IPrefixedId<SessionId>
{
    /// <inheritdoc/>
    public static string Prefix => "ses";

    /// <inheritdoc/>
    public static SessionId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static SessionId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out SessionId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a message of a session: <c>msg_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<MessageId>))]
public readonly record struct MessageId(Guid Value) : IPrefixedId<MessageId>
{
    /// <inheritdoc/>
    public static string Prefix => "msg";

    /// <inheritdoc/>
    public static MessageId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static MessageId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out MessageId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a dev box; one session has many over its life: <c>box_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<SandboxId>))]
public readonly record struct SandboxId(Guid Value) : IPrefixedId<SandboxId>
{
    /// <inheritdoc/>
    public static string Prefix => "box";

    /// <inheritdoc/>
    public static SandboxId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static SandboxId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out SandboxId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a finished run in the history: <c>run_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<RunId>))]
public readonly record struct RunId(Guid Value) : IPrefixedId<RunId>
{
    /// <inheritdoc/>
    public static string Prefix => "run";

    /// <inheritdoc/>
    public static RunId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static RunId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out RunId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a permission question of an agent: <c>per_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<PermissionId>))]
public readonly record struct PermissionId(Guid Value) : IPrefixedId<PermissionId>
{
    /// <inheritdoc/>
    public static string Prefix => "per";

    /// <inheritdoc/>
    public static PermissionId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static PermissionId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out PermissionId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of one life of one host process: <c>hst_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<HostId>))]
public readonly record struct HostId(Guid Value) : IPrefixedId<HostId>
{
    /// <inheritdoc/>
    public static string Prefix => "hst";

    /// <inheritdoc/>
    public static HostId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static HostId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out HostId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a notification, the same for every attempt to deliver it: <c>ntf_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<NotificationId>))]
public readonly record struct NotificationId(Guid Value) : IPrefixedId<NotificationId>
{
    /// <inheritdoc/>
    public static string Prefix => "ntf";

    /// <inheritdoc/>
    public static NotificationId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static NotificationId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out NotificationId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>The id of a model call, the same for every attempt to record what it used: <c>cal_…</c>.</summary>
[JsonConverter(typeof(PrefixedIdJsonConverter<ModelCallId>))]
public readonly record struct ModelCallId(Guid Value) : IPrefixedId<ModelCallId>
{
    /// <inheritdoc/>
    public static string Prefix => "cal";

    /// <inheritdoc/>
    public static ModelCallId From(Guid value) => new(value);

    /// <summary>A new one at the clock's time, which orders it after older ones.</summary>
    public static ModelCallId New(TimeProvider time) => new(PrefixedId.NewValue(time));

    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out ModelCallId id)
    {
        var ok = PrefixedId.TryParse(Prefix, text, out var value);
        id = new(value);
        return ok;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => PrefixedId.Format(Prefix, Value);
}

/// <summary>
/// Names one session of one organization; the key of its actor and of its journal. Made only from parsed ids, so a
/// key cannot be forged from parts of text.
/// </summary>
public readonly record struct SessionKey(OrganizationId Organization, SessionId Session)
{
    /// <summary>Both ids, for a log.</summary>
    public override string ToString() => $"{Organization}:{Session}";

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <summary>Reads the text form; false for any other text.</summary>
    public static bool TryParse(string? text, out SessionKey key)
    {
        key = default;
        if (text is null || text.Length != (PrefixedId.TextLength * 2) + 1 || text[PrefixedId.TextLength] != ':') return false;
        if (!OrganizationId.TryParse(text[..PrefixedId.TextLength], out var organization)) return false;
        if (!SessionId.TryParse(text[(PrefixedId.TextLength + 1)..], out var session)) return false;
        key = new(organization, session);
        return true;
    }
}

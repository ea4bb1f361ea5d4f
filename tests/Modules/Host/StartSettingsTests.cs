using System.ComponentModel;
using System.Net.Sockets;
using System.Reflection;
using Coordinator.Host;
using Coordinator.Ports;
using Coordinator.Starting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>Settings that cannot be read, or that nothing can be done with: each is named, with what it is and what it must be, and none hides another.</summary>
public sealed class StartSettingsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-").FullName;

    public StartSettingsTests() => File.WriteAllText(Path.Combine(folder, "coordinator-box"), string.Empty);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("Database:Hosts:TimeToLive", "abc", "it must be a time such as 00:00:30")]
    [InlineData("Sessions:Host:CallTimeout", "abc", "it must be a time such as 00:00:30")]
    [InlineData("Sessions:KeepEvents", "for ever", "it must be a time such as 00:00:30")]
    [InlineData("Sessions:Host:SettleTime", "-00:00:01", "it must be from 00:00:00 to 00:10:00")]
    [InlineData("Sessions:CloneSeconds", "0", "it must be from 1 to 3600")]
    [InlineData("Database:MaxPoolSize", "many", "it must be a whole number")]
    [InlineData("Database:MaxPoolSize", "0x10", "it must be a whole number")]
    [InlineData("Sandbox:Local:AllowUnisolated", "sure", "it must be true or false")]
    [InlineData("Sandbox:Local:Cgroups", "some", "it must be one of WherePossible, Off")]
    [InlineData("Demo:Enabled", "perhaps", "it must be true or false")]
    [InlineData("Logging:LogLevel:Default", "loud", "it must be one of Trace, Debug")]
    [InlineData("Urls", "foo", "it must hold addresses to listen at")]
    [InlineData("Urls", ";", "it must hold addresses to listen at")]
    [InlineData("Urls", "http://127.0.0.1:99999", "it must hold addresses to listen at")]
    [InlineData("PublicUrl", "foo", "it must be the address that people reach this host by")]
    [InlineData("DataDirectory", "/proc/nope", "it must be a folder that can be made and written")]
    [InlineData("Artifacts:Directory", "/proc/nope", "it must be a folder that can be made and written")]
    [InlineData("Sandbox:Local:DataDirectory", "/proc/nope", "it must be a folder that can be made and written")]
    public async Task A_setting_that_nothing_can_be_done_with_is_named_and_hides_no_other(string key, string value, string wanted)
    {
        var arguments = Arguments($"--{key}={value}", "--Tenancy:SignInLinkLifetime=0");
        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(arguments))).ToList();

        Assert.Equal(2, failures.Count);
        Assert.StartsWith($"{key} is '{value}'; {wanted}", Assert.Single(failures, text => !text.StartsWith("Tenancy:", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(78, await CoordinatorHost.RunAsync(arguments));
    }

    [Fact]
    public void Several_in_one_section_are_all_named()
    {
        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Database:Hosts:TimeToLive=abc", "--Database:StartTimeout=soon", "--Database:MaxPoolSize=1", "--Database:Journal:Writers=x")))).ToList();

        Assert.Equal(4, failures.Count);
        Assert.All(["TimeToLive", "StartTimeout", "MaxPoolSize", "Writers"], key => Assert.Contains(failures, text => text.Contains(key, StringComparison.Ordinal)));
    }

    [Fact]
    public void Boxes_that_would_be_roots_are_refused_before_anything_is_started() =>
        Assert.Contains("User is 'root'", Assert.Single(RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Local:User=root"))))), StringComparison.Ordinal);

    [Fact]
    public void A_key_file_that_others_may_read_is_named_with_all_else_that_is_wrong()
    {
        var file = Path.Combine(folder, "open.key");
        File.WriteAllText(file, Convert.ToBase64String(new byte[32]));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments($"--Vault:KeyFile={file}", "--Tenancy:SignInLinkLifetime=0")))).ToList();

        Assert.Equal(2, failures.Count);
        Assert.Contains(failures, text => text.Contains($"chmod 600 {file}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_right_is_taken_as_it_was_written_and_limits_how_long_the_host_may_take_to_stop()
    {
        await using var host = CoordinatorHost.Build(Arguments("--Sessions:Host:SettleTime=00:00:20", "--Urls=http://*:0;http://[::1]:0", "--Logging:LogLevel:Default=warning", "--Sessions:KeepEvents="));

        Assert.Equal(TimeSpan.FromSeconds(40), host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    [Fact]
    public async Task Whatever_is_no_text_is_what_it_is_without_being_set_where_it_is_left_empty()
    {
        List<(string Section, Type Type)> bound = [];
        await using var unset = CoordinatorHost.Build(Arguments(), services => bound = SettingForms.Bound(services));
        var values = Values(unset, bound);
        await using var empty = CoordinatorHost.Build(Arguments([.. values.Keys.Select(key => $"--{key}=")]));

        Assert.All(["Database:MaxPoolSize", "Database:Hosts:TimeToLive", "Sandbox:Local:AllowUnisolated", "Sandbox:Local:Cgroups"], key => Assert.Contains(key, values.Keys));
        Assert.Equal(values, Values(empty, bound));
    }

    [Fact]
    public void Every_bound_class_of_options_says_its_section()
    {
        List<Type> bound = [];
        using var host = (IDisposable)CoordinatorHost.Build(Arguments(), services => bound.AddRange(services
            .Where(service => service.ServiceType.IsGenericType && service.ServiceType.GetGenericTypeDefinition() == typeof(IOptionsChangeTokenSource<>))
            .Select(service => service.ServiceType.GetGenericArguments()[0])
            .Where(type => type.Namespace!.StartsWith("Coordinator.", StringComparison.Ordinal))));

        Assert.NotEmpty(bound);
        Assert.All(bound, type => Assert.NotNull(type.GetField("Section")));
    }

    [Fact]
    public void A_full_disk_has_a_supervisor_try_again()
    {
        var full = StartFailure.Explain(new IOException("No space left on device", 28), StartingProgram.Host)!;

        Assert.Equal(ExitCodes.Failed, full.ExitCode);
        Assert.Contains("Make room", full.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_host_on_the_same_boxes_may_end_so_a_supervisor_tries_again_once_the_settings_are_right()
    {
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "run")).FullName, "host.sock")));
        other.Listen();

        var taken = Assert.Throws<PortException>(() => CoordinatorHost.Build(Arguments()));
        Assert.Equal($"The host cannot start: another host already serves boxes at {folder}/run/host.sock; stop it, or give this one a DataDirectory of its own.", StartFailure.Explain(taken, StartingProgram.Host)!.Text);
        Assert.Equal(1, await CoordinatorHost.RunAsync(Arguments()));
        Assert.Contains("SignInLinkLifetime", Assert.Single(RefusedSettings.In(Assert.ThrowsAny<OptionsValidationException>(() => CoordinatorHost.Build(Arguments("--Tenancy:SignInLinkLifetime=0"))))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_settings_that_cannot_be_read_is_a_wrong_setting()
    {
        var failure = StartFailure.Explain(new InvalidDataException("Failed to load configuration from file 'appsettings.json'.", new FormatException("Could not parse the JSON file.")), StartingProgram.Host)!;

        Assert.Equal(ExitCodes.Misconfigured, failure.ExitCode);
        Assert.Contains("'appsettings.json'. Could not parse the JSON file.", failure.Text, StringComparison.Ordinal);
    }

    /// <summary>Every setting of a host that is one value and no text.</summary>
    private static Dictionary<string, object?> Values(WebApplication host, List<(string Section, Type Type)> bound) => bound
        .SelectMany(options => ValuesIn(options.Section, ((IOptions<object>)host.Services.GetRequiredService(typeof(IOptions<>).MakeGenericType(options.Type))).Value))
        .ToDictionary(StringComparer.Ordinal);

    private static IEnumerable<KeyValuePair<string, object?>> ValuesIn(string path, object options) => options.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .SelectMany(property => SettingForms.IsOptions(property.PropertyType) ? ValuesIn($"{path}:{property.Name}", property.GetValue(options)!)
            : property.SetMethod is { IsPublic: true } && property.PropertyType != typeof(string) && TypeDescriptor.GetConverter(property.PropertyType).CanConvertFrom(typeof(string)) ? [new($"{path}:{property.Name}", property.GetValue(options))]
            : []);

    private string[] Arguments(params string[] more) =>
    [
        $"--DataDirectory={folder}",
        $"--Sandbox:Local:SocketDirectory={folder}/run",
        $"--Sandbox:Local:BoxProgram={folder}/coordinator-box",
        "--Urls=http://127.0.0.1:0",
        .. more,
    ];
}

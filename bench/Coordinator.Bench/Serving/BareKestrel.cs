using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Bench.Serving;

/// <summary>A web server with nothing around it, in a process of its own. It says where it is, answers what it is asked on standard input, and ends with it.</summary>
internal static class BareKestrel
{
    public static async Task<int> RunAsync(Action<WebApplication> map, Func<Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseSockets(static sockets => sockets.UnsafePreferInlineScheduling = true); // as the host has it: what its promises cost is not to be hidden by a setting
        await using var app = builder.Build();
        app.UseWebSockets();
        map(app);
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Sign in: {app.Urls.First()}/#sl_none");
        while (await Console.In.ReadLineAsync() is not null) await answer();
        return 0;
    }
}

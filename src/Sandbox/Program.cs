using Coordinator.Sandbox;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Processes;

const int usage = 64;
var log = new BoxLog(Console.Error, TimeProvider.System);
switch (args)
{
    case ["run", "--config", var path]:
        return await RunCommand.RunAsync(path, TimeProvider.System, log);
    case ["git-credential", var action]:
        return await GitCredentialCommand.RunAsync(action, Console.In, Console.Out, Environment.GetEnvironmentVariable(ToolEnvironment.PortVariable));
    case ["version" or "--version"]:
        Console.Out.WriteLine(typeof(BoxLog).Assembly.GetName().Version?.ToString(3));
        return 0;
    default:
        Console.Error.WriteLine("usage: coordinator-box run --config PATH | git-credential get | version");
        return usage;
}

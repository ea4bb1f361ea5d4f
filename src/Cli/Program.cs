using System.CommandLine;
using Coordinator.Cli;
using Coordinator.Cli.Commands;
using Coordinator.Client;

var root = new RootCommand("Coordinator: hosted coding-agent sessions from the command line.")
{
    LoginCommand.Create(),
    SessionsCommand.Create(),
    NewCommand.Create(),
    PromptCommand.Create(),
    EventsCommand.Create(),
    DoctorCommand.Create(),
    JourneyCommand.Create(),
    SandboxHostCommand.Create(),
    MaintenanceCommands.Backup(),
    MaintenanceCommands.Restore(),
    MaintenanceCommands.Restored(),
};

try
{
    // A prompt may begin with @, as where it mentions a file: it is no file of arguments.
    return await root.Parse(args, new() { ResponseFileTokenReplacer = null }).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (CoordinatorException e)
{
    Terminal.Error($"{e.Message} ({e.Code})");
    return 1;
}
catch (UsageException e)
{
    Terminal.Error(e.Message);
    return 2;
}
catch (OperationCanceledException)
{
    return 130;
}

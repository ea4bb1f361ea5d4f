using Coordinator.SandboxHost;

return await SandboxHostProgram.RunAsync(args);

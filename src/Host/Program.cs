using Coordinator.Host;

return await CoordinatorHost.RunAsync(args);

using System.CommandLine;
using Coordinator.Client;
using Spectre.Console;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator sessions</c>: the newest sessions, one a row.</summary>
internal static class SessionsCommand
{
    public static Command Create()
    {
        var limit = new Option<int>("--limit") { DefaultValueFactory = _ => 20, Description = "How many, 1 to 200." };
        var command = new Command("sessions", "List sessions, newest first.") { limit };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var page = await client.ListSessionsAsync(null, parsed.GetValue(limit), cancellationToken);
            if (page.Items.Count == 0)
            {
                Terminal.Line("No sessions yet. Start one: coordinator new --model demo/scripted \"run `ls`\"");
                return 0;
            }

            Terminal.Out.Write(TableOf(page.Items));
            return 0;
        });
        return command;
    }

    internal static Table TableOf(IEnumerable<Session> sessions)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("Id", "Title", "Status", "Box", "Model", "Updated");
        table.Columns[0].NoWrap();
        foreach (var s in sessions)
            table.AddRow(s.Id, Markup.Escape(s.Title), s.Status, s.Sandbox.Status, Markup.Escape(s.Model), s.UpdatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture));
        return table;
    }
}

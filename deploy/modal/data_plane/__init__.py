"""The data plane that Coordinator's Modal adapter speaks with (docs/protocol.md, section 6)."""

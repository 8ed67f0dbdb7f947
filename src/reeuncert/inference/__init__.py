"""From a `pm.Model` to draws: samplers, starting points, prior simulation, and one labelled tree of results."""

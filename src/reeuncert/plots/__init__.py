"""Figures of a result, one file a theme, in matplotlib or Plotly.

Every figure is called alike, ``plot_x(dt, *, coords=None, backend="matplotlib", theme="light")``, and returns a
figure of matplotlib or of Plotly. What it draws is in the tidy table that ``x_data(dt, *, coords=None)`` returns.
"""

from reeuncert.plots.comparison import comparison_data, plot_comparison, plot_scenarios, scenarios_data
from reeuncert.plots.customs_gap import customs_gap_data, customs_records_data, plot_customs_gap
from reeuncert.plots.drivers import drivers_data, plot_drivers
from reeuncert.plots.evidence import calibration_data, evidence_data, plot_calibration, plot_evidence
from reeuncert.plots.indicator import consumption_data, indicator_data, plot_consumption, plot_indicator
from reeuncert.plots.learning import learning_data, plot_learning, plot_prior_posterior, prior_posterior_data
from reeuncert.plots.questions import (
    plot_power_scaling,
    plot_sobol,
    plot_tornado,
    plot_value_of_information,
    power_scaling_data,
    sobol_data,
    tornado_data,
    value_of_information_data,
)
from reeuncert.plots.sankey import plot_sankey, sankey_data
from reeuncert.plots.trade import plot_net_exports, plot_trade_matrix, plot_triangle, trade_matrix_data, triangle_data
from reeuncert.plots.what_if import (
    lost_consumption_data,
    outlook_data,
    outlook_projects_data,
    outlook_scenarios_data,
    plot_lost_consumption,
    plot_outlook,
    plot_outlook_scenarios,
)

__all__ = [
    "calibration_data",
    "comparison_data",
    "consumption_data",
    "customs_gap_data",
    "customs_records_data",
    "drivers_data",
    "evidence_data",
    "indicator_data",
    "learning_data",
    "lost_consumption_data",
    "outlook_data",
    "outlook_projects_data",
    "outlook_scenarios_data",
    "plot_calibration",
    "plot_comparison",
    "plot_consumption",
    "plot_customs_gap",
    "plot_drivers",
    "plot_evidence",
    "plot_indicator",
    "plot_learning",
    "plot_lost_consumption",
    "plot_net_exports",
    "plot_outlook",
    "plot_outlook_scenarios",
    "plot_power_scaling",
    "plot_prior_posterior",
    "plot_sankey",
    "plot_scenarios",
    "plot_sobol",
    "plot_tornado",
    "plot_trade_matrix",
    "plot_triangle",
    "plot_value_of_information",
    "power_scaling_data",
    "prior_posterior_data",
    "sankey_data",
    "scenarios_data",
    "sobol_data",
    "tornado_data",
    "trade_matrix_data",
    "triangle_data",
    "value_of_information_data",
]

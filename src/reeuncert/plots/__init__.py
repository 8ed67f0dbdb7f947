"""Figures of a result, one file a topic, in matplotlib or Plotly.

Every figure is called alike, ``plot_x(dt, *, coords=None, backend="matplotlib")``, and returns a
figure of matplotlib or of Plotly. What it draws is in the tidy table that ``x_data(dt, *, coords=None)`` returns.
"""

from reeuncert.plots.comparison import comparison_data as comparison_data
from reeuncert.plots.comparison import plot_comparison as plot_comparison
from reeuncert.plots.comparison import plot_scenarios as plot_scenarios
from reeuncert.plots.comparison import scenarios_data as scenarios_data
from reeuncert.plots.customs_gap import customs_gap_data as customs_gap_data
from reeuncert.plots.customs_gap import customs_records_data as customs_records_data
from reeuncert.plots.customs_gap import plot_customs_gap as plot_customs_gap
from reeuncert.plots.evidence import calibration_data as calibration_data
from reeuncert.plots.evidence import evidence_data as evidence_data
from reeuncert.plots.evidence import plot_calibration as plot_calibration
from reeuncert.plots.evidence import plot_evidence as plot_evidence
from reeuncert.plots.indicator import consumption_data as consumption_data
from reeuncert.plots.indicator import indicator_data as indicator_data
from reeuncert.plots.indicator import plot_consumption as plot_consumption
from reeuncert.plots.indicator import plot_indicator as plot_indicator
from reeuncert.plots.learning import learning_data as learning_data
from reeuncert.plots.learning import plot_learning as plot_learning
from reeuncert.plots.learning import plot_prior_posterior as plot_prior_posterior
from reeuncert.plots.learning import prior_posterior_data as prior_posterior_data
from reeuncert.plots.questions import plot_power_scaling as plot_power_scaling
from reeuncert.plots.questions import plot_sobol as plot_sobol
from reeuncert.plots.questions import plot_tornado as plot_tornado
from reeuncert.plots.questions import plot_value_of_information as plot_value_of_information
from reeuncert.plots.questions import power_scaling_data as power_scaling_data
from reeuncert.plots.questions import sobol_data as sobol_data
from reeuncert.plots.questions import tornado_data as tornado_data
from reeuncert.plots.questions import value_of_information_data as value_of_information_data
from reeuncert.plots.sankey import plot_sankey as plot_sankey
from reeuncert.plots.sankey import sankey_data as sankey_data
from reeuncert.plots.trade import plot_net_exports as plot_net_exports
from reeuncert.plots.trade import plot_trade_matrix as plot_trade_matrix
from reeuncert.plots.trade import plot_triangle as plot_triangle
from reeuncert.plots.trade import trade_matrix_data as trade_matrix_data
from reeuncert.plots.trade import triangle_data as triangle_data
from reeuncert.plots.what_if import lost_consumption_data as lost_consumption_data
from reeuncert.plots.what_if import outlook_data as outlook_data
from reeuncert.plots.what_if import outlook_projects_data as outlook_projects_data
from reeuncert.plots.what_if import outlook_scenarios_data as outlook_scenarios_data
from reeuncert.plots.what_if import plot_lost_consumption as plot_lost_consumption
from reeuncert.plots.what_if import plot_outlook as plot_outlook
from reeuncert.plots.what_if import plot_outlook_scenarios as plot_outlook_scenarios

__all__ = sorted(name for name in globals() if name.startswith("plot_") or name.endswith("_data"))

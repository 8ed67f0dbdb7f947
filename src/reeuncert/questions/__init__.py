"""Questions asked of one result, without another fit."""

from reeuncert.questions.powerscale import tornado as tornado

"""The values of traits and properties: from what a person hands in to what Intercom takes.

``custom_attributes`` takes each trait through three steps: plain values, date keys, nested handling.
"""

from .attributes import custom_attributes as custom_attributes
from .coerce import fields_of as fields_of
from .companies import companies_of as companies_of
from .companies import company_of as company_of
from .dates import seconds as seconds
from .names import full_name as full_name
from .names import split as split

"""What requests and responses contain."""

from .generated.models import *  # noqa: F403
from .generated.models import __all__ as __all__

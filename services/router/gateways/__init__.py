"""What the router reaches outside its database: the folder of definitions, and their checking."""

from services.router.gateways.checking import Checked
from services.router.gateways.folder import (
    ORDER,
    Folder,
    Found,
    in_order,
    must_be_on_known_shifts,
    read_directory,
)
from services.router.gateways.together import check_together, settle

__all__ = [
    "ORDER",
    "Checked",
    "Folder",
    "Found",
    "check_together",
    "in_order",
    "must_be_on_known_shifts",
    "read_directory",
    "settle",
]

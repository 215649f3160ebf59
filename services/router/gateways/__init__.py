"""What the router reaches outside its database: the folder of definitions, and their checking."""

from services.router.gateways.checking import Checked, check_content
from services.router.gateways.folder import Folder, Found, read_directory

__all__ = ["Checked", "Folder", "Found", "check_content", "read_directory"]

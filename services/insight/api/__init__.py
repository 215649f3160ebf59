"""What insight offers: read API, live stream, pages, and the desk for callers inside."""

from services.insight.api.access import Access
from services.insight.api.desk import Desk
from services.insight.api.live import Live
from services.insight.api.pages import page_routes
from services.insight.api.routes import routes

__all__ = ["Access", "Desk", "Live", "page_routes", "routes"]

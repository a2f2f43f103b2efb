"""Staff. Reads freely, changes only through actions."""

from django.contrib import admin

from core.admin import api_keys, brands, campaigns, records

__all__ = ["api_keys", "brands", "campaigns", "records"]

admin.site.site_header = "Budget Manager"
admin.site.site_title = "Budget Manager"
admin.site.index_title = "Brands, campaigns and what they spend"
admin.site.site_url = None  # There is no site beside the API.
admin.site.enable_nav_sidebar = False  # The lists need the width.

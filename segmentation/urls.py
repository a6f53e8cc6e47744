"""The map of what segments and values have as pages."""

from segmentation.urls_segments import segment_urls

app_name = "segmentation"

urlpatterns = [
    *segment_urls,
]

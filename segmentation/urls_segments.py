"""The map of segments: `segmentation.urls` takes it in."""

from django.urls import path

from segmentation.views import segment, segment_form

segment_urls = [
    path("segments/", segment.segment_list, name="segments"),
    path("segments/new/", segment_form.segment_add, name="segment-add"),
    path("segments/preview/", segment_form.segment_preview, name="segment-preview"),
    path("segments/<int:pk>/", segment.segment_detail, name="segment"),
    path("segments/<int:pk>/edit/", segment_form.segment_edit, name="segment-edit"),
    path("segments/<int:pk>/archive/", segment.segment_archive, name="segment-archive"),
    path("segments/<int:pk>/restore/", segment.segment_restore, name="segment-restore"),
    path("segments/<int:pk>/export/", segment.segment_export, name="segment-export"),
]

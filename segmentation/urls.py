"""The map of values and segments as pages. Loading it also adds the engine's columns and filters to the list of customers."""

from django.urls import path

from segmentation import customer_list
from segmentation.urls_segments import segment_urls
from segmentation.views import customer_value, ledger, rules, runs, track_record, value, what_if

app_name = "segmentation"

customer_list.register()

urlpatterns = [
    path("customers/<int:pk>/value/", customer_value.customer_value, name="customer-value"),
    path("customers/<int:pk>/tier/override/", customer_value.tier_override, name="tier-override"),
    path("customers/<int:pk>/tier/approval/", customer_value.move_approve, name="move-approve"),
    path("customers/<int:pk>/tier/refusal/", customer_value.move_refuse, name="move-refuse"),
    path("tier-overrides/<int:pk>/end/", customer_value.override_end, name="override-end"),
    path("value/", value.value, name="value"),
    path("value/groups/", value.value_groups, name="value-groups"),
    path("value/concerns-me/", value.concerns_me, name="concerns-me"),
    path("value/moves/", value.moves, name="moves"),
    path("value/ledger/", ledger.ledger, name="ledger"),
    path("value/ledger/<int:pk>/", ledger.decision, name="decision"),
    path("value/rules/", rules.rule_list, name="rules"),
    path("value/rules/draft/", rules.rule_draft, name="rules-draft"),
    path("value/rules/draft/preview/", rules.rule_preview, name="rules-preview"),
    path("value/rules/draft/publication/", rules.rule_publish, name="rules-publish"),
    path("value/rules/previews/<int:pk>/", rules.preview_state, name="rules-preview-state"),
    path("value/runs/", runs.run_list, name="runs"),
    path("value/runs/start/", value.run_start, name="run-start"),
    path("value/runs/cancellation/", runs.run_cancel, name="run-cancel"),
    path("value/runs/<int:pk>/", runs.run_detail, name="run"),
    path("value/track-record/", track_record.track_record, name="track-record"),
    path("value/what-if/", what_if.what_if, name="what-if"),
    path("value/what-if/<int:pk>/", what_if.scenario, name="scenario"),
    *segment_urls,
]

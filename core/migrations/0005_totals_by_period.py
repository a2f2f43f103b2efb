"""Finds the running totals of many campaigns however many days they have behind them (C26)."""

from django.db import migrations, models
from django.db.models.deletion import PROTECT


class Migration(migrations.Migration):
    dependencies = [("core", "0004_first_versions")]

    operations = [
        migrations.AddIndex(
            model_name="campaigntotal",
            index=models.Index(
                fields=["period", "starts_on", "campaign"], name="campaign_total_by_period"
            ),
        ),
        # The unique constraint's index begins with the campaign, too.
        migrations.AlterField(
            model_name="campaigntotal",
            name="campaign",
            field=models.ForeignKey(
                db_index=False, on_delete=PROTECT, related_name="totals", to="core.campaign"
            ),
        ),
    ]

from __future__ import annotations

from django.db import connection, models, transaction


class Counter(models.Model):
    """A gapless, rising count: the row is locked until the caller commits, so a rolled-back creation gives its number back.

    A sequence would be cheaper, but loses numbers on rollback and up to 32 after a crash, and hands them out of commit order.
    Take numbers late in a long transaction: everybody else who creates waits behind it.
    """

    name = models.CharField(max_length=40, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

    @classmethod
    def take(cls, name: str, count: int = 1) -> int:
        """Reserve `count` numbers and return the first of them. Needs a transaction, or the lock would be no lock."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("Counter.take needs a transaction")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers_counter AS counter (name, value) VALUES (%s, %s)"
                " ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value - %s + 1",
                [name, count, count],
            )
            first: int = cursor.fetchone()[0]
        return first

-- Wait for whoever is changing a delivery. The next statement of the transaction then sees all that was changed with it.
select from {schema}.mail_deliveries where delivery_id = $1 for update

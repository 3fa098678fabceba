-- A message that exists if, and only if, the order is paid.
BEGIN;
UPDATE orders SET paid = true WHERE id = 42;
SELECT hongyan.submit('{"v":1,"account":"ops","text":"order 42 is paid","key":"paid-42"}');
COMMIT;

using System.Security.Cryptography;
using System.Text;
using Fluid;
using Fluid.Values;
using PhoneNumbers;

namespace StreamEngine.Activation.Records;

/// <summary>
/// Filters of templates that bring e-mail addresses and phone numbers into the forms by which ad platforms match them. What is no address
/// or number, and what is absent, becomes empty, and so does its hash: the hash of an empty text would match everybody who has none.
/// </summary>
internal static class IdentifierFilters
{
    private static readonly string[] GoogleDomains = ["gmail.com", "googlemail.com"];

    /// <summary>Makes the filters known to templates.</summary>
    public static void AddTo(FilterCollection filters)
    {
        Add(filters, "sha256", (text, _) => text.Length == 0 ? ""
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        Add(filters, "normalize_email", (text, _) => Email(text.Trim()));
        Add(filters, "google_email", (text, _) => GoogleEmail(text));
        Add(filters, "e164", (text, region) => Phone(text, region));
        Add(filters, "phone_digits", (text, region) => Phone(text, region).TrimStart('+'));
    }

    /// <summary>Lower case; empty where it is no address.</summary>
    private static string Email(string text) =>
        text.IndexOf('@', StringComparison.Ordinal) is var at && at > 0 && at < text.Length - 1 ? text.ToLowerInvariant() : "";

    /// <summary>
    /// As Google asks: no white space, and in front of its own domains neither dots nor what follows a plus.
    /// </summary>
    private static string GoogleEmail(string text)
    {
        var email = Email(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));
        var at = email.LastIndexOf('@');
        if (at < 0 || !GoogleDomains.Contains(email[(at + 1)..])) return email;
        var name = email[..at].Split('+')[0].Replace(".", "", StringComparison.Ordinal);
        return name.Length == 0 ? "" : name + email[at..];
    }

    /// <summary>E.164, as +491711234567; empty where it is no number that can be.</summary>
    /// <param name="text">The number as people write it.</param>
    /// <param name="region">The country of numbers without a country code, as DE; empty where all have one.</param>
    private static string Phone(string text, string region)
    {
        var numbers = PhoneNumberUtil.GetInstance();
        try
        {
            var number = numbers.Parse(text, region.Length == 0 ? null : region.ToUpperInvariant());
            return numbers.IsPossibleNumber(number) ? numbers.Format(number, PhoneNumberFormat.E164) : "";
        }
        catch (NumberParseException)
        {
            return "";
        }
    }

    private static void Add(FilterCollection filters, string name, Func<string, string, string> make) =>
        filters.AddFilter(name, (input, arguments, _) =>
            new ValueTask<FluidValue>(new StringValue(make(input.ToStringValue(), arguments.At(0).ToStringValue()))));
}
